/** More are passed on without being remembered. */
const REMEMBERED_MAX = 1_000

/** Passes each text on once: what a store warns of, however many are opened in this process. */
export function onceEach(pass: (text: string) => void): (text: string) => void {
  const known = new Set<string>()
  return (text) => {
    if (known.has(text)) return
    if (known.size < REMEMBERED_MAX) known.add(text)
    pass(text)
  }
}
