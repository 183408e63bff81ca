/** Characters that change how a terminal shows others: C0, DEL and C1, format and bidirectional controls, line separators, lone surrogates. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu
/** Those that `JSON.stringify` leaves as they are; the line ends between its values are its own. */
const UNSAFE_IN_JSON = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu

/** Text from a log, a store or the command line, safe for a terminal and on one line: `\u{1b}` stands for an escape character. */
export function escaped(text: string): string {
  return text.replace(UNSAFE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)
}

/** As `escaped`, cut to `lengthMax` characters before. */
export function printable(text: string, lengthMax = 60): string {
  if (text.length <= lengthMax) return escaped(text)
  const end = text.slice(0, lengthMax - 1)
  // Not between the halves of one character.
  return `${escaped(end.replace(/[\uD800-\uDBFF]$/, ''))}…`
}

/** Text as one word of a shell command, as `escaped`. */
export function shellWord(text: string): string {
  const safe = escaped(text)
  return /^[\w./:@%+=,~-]+$/.test(safe) ? safe : `'${safe.replaceAll("'", String.raw`'\''`)}'`
}

/** A JSON document that is safe for a terminal, over several lines unless `indent` is 0. */
export function jsonText(value: unknown, indent = 2): string {
  return JSON.stringify(value, null, indent).replace(UNSAFE_IN_JSON, (character) =>
    Array.from(
      { length: character.length },
      (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
    ).join(''),
  )
}
