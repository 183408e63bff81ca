/** The method that `util.inspect`, and so `console.log`, calls. Named here, because the engine imports nothing of Node for it. */
export const INSPECT: unique symbol = Symbol.for('nodejs.util.inspect.custom')
