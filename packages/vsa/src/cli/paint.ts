/** Colours for text on a terminal. Each function returns the text itself where there are no colours. */
export interface Paint {
  /** A heading. */
  readonly strong: (text: string) => string
  /** A check that passed. */
  readonly good: (text: string) => string
  /** A check that did not. */
  readonly bad: (text: string) => string
}

const asItIs = (text: string): string => text

export const PLAIN: Paint = { strong: asItIs, good: asItIs, bad: asItIs }

const COLOURED: Paint = { strong: sequence(1, 22), good: sequence(32, 39), bad: sequence(31, 39) }

/** Colours on a terminal alone, and not where `NO_COLOR` is set or the terminal has none. */
export function paintFor(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): Paint {
  const isUnwanted = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb'
  return stream.isTTY === true && !isUnwanted ? COLOURED : PLAIN
}

function sequence(on: number, off: number): (text: string) => string {
  return (text) => `\u001B[${on}m${text}\u001B[${off}m`
}
