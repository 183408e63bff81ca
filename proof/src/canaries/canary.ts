/** One planted bug: the built library with one place changed. The run that claims to check its rules must find it. */
export interface Canary {
  /** Words with hyphens. */
  readonly name: string
  /** The rules that it breaks, as in `S2`. */
  readonly rules: readonly string[]
  /** What is wrong, in one line. */
  readonly what: string
  /** The changed module, relative to the library's root and without its extension, as in `core/apply-exchange`. */
  readonly file: string
  /** Text that the built module has exactly once. */
  readonly find: string
  readonly replace: string
}
