/**
 * The stored form of text: without NUL, which Postgres refuses, and at which libsql truncates a string when it reads it.
 * NUL becomes `\u0001\u0001` and `\u0001` becomes `\u0001\u0002`: reversible, and it keeps the order of keys.
 */
const NUL = '\u0000'
const ESCAPE = '\u0001'
const ESCAPED_ESCAPE = '\u0001\u0002'
const ESCAPED_NUL = '\u0001\u0001'

export function encodeText(text: string): string {
  if (!text.includes(NUL) && !text.includes(ESCAPE)) return text
  return text.replaceAll(ESCAPE, ESCAPED_ESCAPE).replaceAll(NUL, ESCAPED_NUL)
}

export function decodeText(text: string): string {
  if (!text.includes(ESCAPE)) return text
  let decoded = ''
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charAt(index)
    if (character !== ESCAPE) {
      decoded += character
      continue
    }
    index += 1
    decoded += text.charAt(index) === ESCAPE ? NUL : ESCAPE
  }
  return decoded
}
