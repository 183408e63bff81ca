import { assert, constantFrom, property, string } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeText, encodeText } from '../../src/core/stored-text.ts'

const awkward = string({ unit: constantFrom('\u0000', '\u0001', '\u0002', 'a', '😀'), maxLength: 12 })

describe('text in the file', () => {
  it('text is read back unchanged, and is stored without NUL', () => {
    assert(
      property(awkward, (text) => {
        expect(encodeText(text)).not.toContain('\u0000')
        expect(decodeText(encodeText(text))).toBe(text)
      }),
      { seed: 1, numRuns: 2_000 },
    )
  })

  it('escaping keeps the order of keys', () => {
    assert(
      property(awkward, awkward, (left, right) => {
        expect(encodeText(left) < encodeText(right)).toBe(left < right)
      }),
      { seed: 2, numRuns: 2_000 },
    )
  })

  it('text without special characters is stored unchanged', () => {
    expect(encodeText("tenant-7 '{}' 😀")).toBe("tenant-7 '{}' 😀")
  })
})
