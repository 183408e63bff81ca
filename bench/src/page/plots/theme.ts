import type { Row } from '../../compare/row.ts'

export interface Theme {
  readonly name: 'light' | 'dark'
  readonly background: string
  readonly text: string
  readonly grid: string
  readonly colors: Readonly<Record<Row['group'], string>>
}

export const THEMES: readonly Theme[] = [
  {
    name: 'light',
    background: '#ffffff',
    text: '#1f2328',
    grid: '#d1d9e0',
    colors: {
      'vsa-leased': '#0969da',
      'vsa-durable': '#1a7f37',
      'per-request': '#bc4c00',
      'in-memory': '#6e7781',
      inexact: '#8250df',
    },
  },
  {
    name: 'dark',
    background: '#0d1117',
    text: '#e6edf3',
    grid: '#30363d',
    colors: {
      'vsa-leased': '#58a6ff',
      'vsa-durable': '#3fb950',
      'per-request': '#f0883e',
      'in-memory': '#8b949e',
      inexact: '#bc8cff',
    },
  },
]

export const GROUP_NAMES: Readonly<Record<Row['group'], string>> = {
  'vsa-leased': 'VSA, leased',
  'vsa-durable': 'VSA, durable',
  'per-request': 'a store call for each request',
  'in-memory': 'in memory alone',
  inexact: 'inexact',
}

export const STORE_NAMES: Readonly<Record<Row['store'], string>> = {
  memory: 'memory',
  sqlite: 'SQLite',
  postgres: 'Postgres',
  redis: 'Redis',
}
