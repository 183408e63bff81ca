/** How deep the values of a request are read. What is deeper is left out of the estimate. */
const DEPTH_MAX = 64

/** What the input of a call is estimated from. */
export interface RequestText {
  /** All texts and the names of their fields, which stand for what a provider adds to each message. */
  readonly text: string
  /** Images and other files, whose tokens no text tells. */
  readonly files: number
}

/** Fields that have files in base64, in the forms of OpenAI, Anthropic and the AI SDK. */
const FILE_FIELDS = new Set(['data', 'file_data'])
const BASE64 = /^[A-Za-z0-9+/_-]{64,}={0,2}$/
const DATA_URL = /^data:[^,]{0,256},/

/** Collects the texts of messages, tools and instructions, of any provider and version. */
export function requestText(...values: readonly unknown[]): RequestText {
  const texts: string[] = []
  let files = 0
  const read = (value: unknown, depth: number, field = ''): void => {
    if (depth > DEPTH_MAX) return
    if (typeof value === 'string') {
      if (DATA_URL.test(value) || (FILE_FIELDS.has(field) && BASE64.test(value))) files += 1
      else texts.push(value)
    } else if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof URL) files += 1
    else if (Array.isArray(value)) for (const one of value) read(one, depth + 1)
    else if (typeof value === 'object' && value !== null)
      for (const [name, one] of Object.entries(value)) {
        texts.push(name)
        read(one, depth + 1, name)
      }
    else if (typeof value === 'number') texts.push(String(value))
  }
  for (const value of values) read(value, 0)
  return { text: texts.join(' '), files }
}

/** The default estimate: a token for each 4 bytes of UTF-8, rounded up. */
export function tokensOfBytes(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 4)
}
