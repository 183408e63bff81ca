/** A value of JSON of which nothing is known. */
export type JsonValue = unknown

/** Null where it is no JSON. */
export function parsedJson(text: string): JsonValue {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** A field of an object, or undefined. */
export function field(value: JsonValue, name: string): JsonValue {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined
}

/** The entries of an array; of anything else none. */
export function entriesOf(value: JsonValue): readonly JsonValue[] {
  return Array.isArray(value) ? value : []
}

/** The texts among the values, joined. */
export function textsOf(...values: readonly JsonValue[]): string {
  return values.filter((value) => typeof value === 'string').join('')
}
