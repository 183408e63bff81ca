interface Printable {
  toJSON(): object
}

/** Instances are printed as what `toJSON` returns, by `util.inspect` and so by `console.log`, which call this method. */
export function printAsJson(type: { readonly prototype: Printable }): void {
  Object.defineProperty(type.prototype, Symbol.for('nodejs.util.inspect.custom'), {
    value(this: Printable): object {
      return this.toJSON()
    },
  })
}
