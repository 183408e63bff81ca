/** How deep the values of a request are read. What is deeper is left out of the estimate. */
const DEPTH_MAX = 64

/** What the input of a call is estimated from. */
export interface RequestText {
  /** All texts and the names of their fields, which stand for what a provider adds to each message. */
  readonly text: string
  /** Images and other files, whose tokens no text tells. */
  readonly files: number
}

/** Fields that have a file, or tell where it is, in the forms of OpenAI, Anthropic and the AI SDK. What a user writes is in none of them. */
const FILE_FIELDS = new Set(['data', 'file_data', 'image', 'url'])
/** Fields that name a file. */
const REFERENCE_FIELDS = new Set(['file_id', 'file_url', 'image_url'])
const BASE64 = /^[A-Za-z0-9+/_-]{64,}={0,2}$/
const DATA_URL = /^data:[^,]{0,256};base64,/
/** `type` of a `source` of Anthropic that is no text. */
const FILE_SOURCES = new Set(['url', 'base64', 'file'])

/** Collects the texts of messages, tools and instructions, of any provider and version. */
export function requestText(...values: readonly unknown[]): RequestText {
  const texts: string[] = []
  let files = 0
  const read = (value: unknown, depth: number, field = ''): void => {
    if (depth > DEPTH_MAX) return
    if (typeof value === 'string') {
      if (isFile(field, value)) files += 1
      else texts.push(value)
    } else if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof URL) files += 1
    else if (Array.isArray(value)) for (const one of value) read(one, depth + 1)
    else if (isFileObject(field, value)) files += 1
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

function isFile(field: string, value: string): boolean {
  if (REFERENCE_FIELDS.has(field)) return true
  return FILE_FIELDS.has(field) && (DATA_URL.test(value) || BASE64.test(value))
}

/** `image_url: { url }` of OpenAI, `source: { type, … }` of Anthropic. A schema of a tool may have fields of these names. */
function isFileObject(field: string, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (field === 'image_url') return 'url' in value && typeof value.url === 'string'
  return field === 'source' && 'type' in value && typeof value.type === 'string' && FILE_SOURCES.has(value.type)
}

/** The default estimate: a token for each 4 bytes of UTF-8, rounded up. */
export function tokensOfBytes(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 4)
}
