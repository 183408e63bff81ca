/** The colours of a plot. Lines are told apart by their labels first: the colours differ in lightness, too. */
export interface Theme {
  readonly name: 'light' | 'dark'
  readonly surface: string
  readonly ink: string
  readonly mutedInk: string
  readonly grid: string
  /** In this order, the same line the same colour in every plot. */
  readonly lines: readonly [string, string, string]
  /** Of what is not measured: bounds, and one row for each operation. */
  readonly reference: string
}

export const THEMES: readonly Theme[] = [
  {
    name: 'light',
    surface: '#ffffff',
    ink: '#1f2328',
    mutedInk: '#59636e',
    grid: '#d1d9e0',
    lines: ['#0969da', '#bc4c00', '#1a7f37'],
    reference: '#6e7781',
  },
  {
    name: 'dark',
    surface: '#0d1117',
    ink: '#e6edf3',
    mutedInk: '#9198a1',
    grid: '#30363d',
    lines: ['#58a6ff', '#f0883e', '#3fb950'],
    reference: '#8b949e',
  },
]
