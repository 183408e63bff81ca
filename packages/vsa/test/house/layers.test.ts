import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { root, temporaryFolder } from './repository.ts'

/** A file, one line of code in it, and the rule that must refuse it; null where it must pass. */
type Planted = readonly [file: string, code: string, rule: string | null]

const imports = 'eslint(no-restricted-imports)'
const globals = 'eslint(no-restricted-globals)'
const properties = 'eslint(no-restricted-properties)'

/** The folders of the engine, and which folders each may import: the arrows of docs/architecture.md. */
const belowBudget = ['api', 'session', 'runtime']
const belowRows = ['budget', ...belowBudget]
const belowExchange = ['rows', 'requests', ...belowRows]
const arrows: Readonly<Record<string, readonly string[]>> = {
  admission: ['exchange', ...belowExchange],
  counters: ['exchange', ...belowExchange],
  exchange: belowExchange,
  rows: belowRows,
  requests: belowRows,
  budget: belowBudget,
  api: ['runtime'],
  session: ['runtime'],
  runtime: [],
}

/** From each folder to each other one: an import, and a type-only import. */
function rooms(): Planted[] {
  const names = Object.keys(arrows)
  return names.flatMap((from) =>
    names
      .filter((to) => to !== from)
      .flatMap((to): Planted[] => {
        const isAllowed = arrows[from]?.includes(to) === true
        const rule = isAllowed ? null : imports
        return [
          [`engine/${from}/a.ts`, `export { a } from '../${to}/a.ts'`, rule],
          [`engine/${from}/a.ts`, `export type { A } from '../${to}/a.ts'`, rule],
        ]
      }),
  )
}

/** Two files that import each other, which must be refused, also for type-only imports. */
const circles: readonly (readonly [file: string, code: string, other: string, otherCode: string])[] = [
  ['core/x.ts', `export { y as x } from './y.ts'`, 'core/y.ts', `export { x as y } from './x.ts'`],
  [
    'engine/rows/x.ts',
    `import { y } from './y.ts'\nexport const x = y`,
    'engine/rows/y.ts',
    `import { x } from './x.ts'\nexport const y = x`,
  ],
  [
    'engine/budget/x.ts',
    `import type { Y } from './y.ts'\nexport type X = Y | 1`,
    'engine/budget/y.ts',
    `import type { X } from './x.ts'\nexport type Y = X | 2`,
  ],
  [
    'engine/exchange/x.ts',
    `import { y } from './y.ts'\nexport type X = 1\nexport const x = y`,
    'engine/exchange/y.ts',
    `import type { X } from './x.ts'\nexport const y: X = 1`,
  ],
  [
    'stores/memory/x.ts',
    `import type { Y } from './y.ts'\nexport type X = Y | 1`,
    'stores/memory/y.ts',
    `import type { X } from './x.ts'\nexport type Y = X | 2`,
  ],
  [
    'cli/x.ts',
    `import type { Y } from './demo/y.ts'\nexport type X = Y | 1`,
    'cli/demo/y.ts',
    `import type { X } from '../x.ts'\nexport type Y = X | 2`,
  ],
]

const planted: readonly Planted[] = [
  ['core/a.ts', `export { a } from './b.ts'`, null],
  ['core/a.ts', `export { b } from './calendar/b.ts'`, null],
  ['core/a.ts', `export { Temporal } from 'temporal-polyfill'`, null],
  ['core/a.ts', `import { a } from '../engine/a.ts'`, imports],
  ['core/a.ts', `import type { A } from '../engine/a.ts'`, imports],
  ['core/a.ts', `export { a } from '../stores/memory/index.ts'`, imports],
  ['core/a.ts', `export * from '../testing/index.ts'`, imports],
  ['core/a.ts', `import '../index.ts'`, imports],
  ['core/a.ts', `import { a } from '../cli/main.ts'`, imports],
  ['core/a.ts', `export const a = import('../engine/a.ts')`, imports],
  ['core/a.ts', `import { a } from '../engine/a.ts'`, imports],
  ['core/a.ts', `import { a } from '../engine/a.ts'`, imports],
  ['core/a.ts', `import { readFileSync } from 'node:fs'`, imports],
  ['core/a.ts', `import { readFileSync } from 'fs'`, imports],
  ['core/a.ts', `import { a } from 'vsa'`, imports],
  ['core/a.ts', `export type A = import('../engine/a.ts').A`, 'typescript(consistent-type-imports)'],
  ['core/calendar/a.ts', `export { a } from '../a.ts'`, null],
  ['core/calendar/a.ts', `export { a } from './b.ts'`, null],
  ['core/calendar/a.ts', `import { a } from '../../engine/a.ts'`, imports],
  ['core/calendar/a.ts', `import { a } from 'node:os'`, imports],
  ['core/policies/a.ts', `export { a } from '../a.ts'`, null],
  ['core/policies/a.ts', `import type { A } from '../../engine/a.ts'`, imports],
  ['core/policies/a.ts', `import { a } from '../../stores/memory/index.ts'`, imports],

  ['engine/a.ts', `export { a } from './b.ts'`, null],
  ['engine/a.ts', `export { a } from './admission/a.ts'`, null],
  ['engine/a.ts', `export { a } from '../core/a.ts'`, null],
  ['engine/a.ts', `import { a } from '../stores/memory/index.ts'`, imports],
  ['engine/a.ts', `import type { A } from '../stores/sqlite/index.ts'`, imports],
  ['engine/a.ts', `import { a } from '../testing/index.ts'`, imports],
  ['engine/a.ts', `import { a } from '../core/../stores/memory/index.ts'`, imports],
  ['engine/a.ts', `import { a } from '../index.ts'`, imports],
  ['engine/a.ts', `import { setTimeout } from 'node:timers/promises'`, imports],
  ['engine/a.ts', `import { hostname } from 'node:os'`, imports],
  ['engine/runtime/a.ts', `export { channel } from 'node:diagnostics_channel'`, null],
  ['engine/api/a.ts', `import { channel } from 'node:diagnostics_channel'`, imports],
  ['engine/session/a.ts', `import { a } from '../../stores/memory/index.ts'`, imports],
  ['engine/session/a.ts', `import type { A } from '../../testing/index.ts'`, imports],
  ['engine/rows/a.ts', `import { a } from '../engine.ts'`, imports],
  ['engine/rows/a.ts', `import type { A } from '../open.ts'`, imports],
  ['engine/rows/a.ts', `import { a } from './../exchange/a.ts'`, imports],
  ['engine/rows/a.ts', `import { a } from '../budget/../exchange/a.ts'`, imports],
  ['engine/rows/a.ts', `export const a = import('../exchange/a.ts')`, imports],
  ['engine/lobby/a.ts', `export { a } from '../../core/a.ts'`, null],
  ['engine/lobby/a.ts', `import { a } from '../runtime/a.ts'`, imports],
  ...rooms(),

  ['stores/sqlite/a.ts', `export { a } from '../../core/a.ts'`, null],
  ['stores/sqlite/a.ts', `export { Worker } from 'node:worker_threads'`, null],
  ['stores/sqlite/a.ts', `export const a = import('libsql')`, null],
  ['stores/sqlite/a.ts', `import { a } from '../../engine/a.ts'`, imports],
  ['stores/sqlite/a.ts', `import type { A } from '../../engine/a.ts'`, imports],
  ['stores/sqlite/a.ts', `import { a } from '../memory/a.ts'`, imports],
  ['stores/sqlite/a.ts', `import { a } from 'commander'`, imports],
  ['stores/postgres/a.ts', `export { a } from '../../core/a.ts'`, null],
  ['stores/postgres/a.ts', `import { Pool } from 'pg'`, imports],
  ['stores/redis/a.ts', `import { Redis } from 'ioredis'`, imports],
  ['stores/redis/a.ts', `import type { RedisClientType } from 'redis'`, imports],
  ['stores/redis/scripts/a.ts', `import { a } from '../../postgres/a.ts'`, imports],
  ['stores/postgres/a.ts', `import type { A } from '../sqlite/a.ts'`, imports],
  ['stores/sqlite/drivers/a.ts', `export { a } from '../../../core/a.ts'`, null],
  ['stores/sqlite/drivers/a.ts', `import { a } from '../../memory/a.ts'`, imports],
  ['stores/sqlite/drivers/a.ts', `import { a } from '../../../engine/a.ts'`, imports],
  ['stores/sqlite/client/a.ts', `export { a } from '../../../core/a.ts'`, null],
  ['stores/sqlite/client/a.ts', `export { a } from '../thread/a.ts'`, null],
  ['stores/sqlite/client/a.ts', `import { a } from '../../memory/a.ts'`, imports],
  ['stores/sqlite/client/a.ts', `import type { A } from '../../../engine/a.ts'`, imports],
  ['stores/sqlite/thread/a.ts', `export { a } from '../a.ts'`, null],
  ['stores/sqlite/thread/a.ts', `import { a } from '../../memory/a.ts'`, imports],
  ['stores/sqlite/thread/a.ts', `import type { A } from '../../../testing/a.ts'`, imports],

  ['testing/a.ts', `export { a } from '../core/a.ts'`, null],
  ['testing/a.ts', `export { a } from '../stores/memory/index.ts'`, null],
  ['testing/a.ts', `export type { A } from '../engine/a.ts'`, null],
  ['testing/a.ts', `import { a } from '../engine/a.ts'`, imports],
  ['testing/a.ts', `import { a } from '../stores/sqlite/index.ts'`, imports],
  ['testing/a.ts', `import { a } from '../cli/main.ts'`, imports],
  ['testing/conformance/a.ts', `export { a } from '../a.ts'`, null],
  ['testing/conformance/a.ts', `export { a } from '../../core/a.ts'`, null],
  ['testing/conformance/a.ts', `export type { A } from '../../engine/a.ts'`, null],
  ['testing/conformance/a.ts', `import { a } from '../../engine/a.ts'`, imports],
  ['testing/conformance/a.ts', `import { a } from '../../stores/sqlite/index.ts'`, imports],

  ['http/a.ts', `export { a } from '../index.ts'`, null],
  ['http/a.ts', `import { a } from '../engine/a.ts'`, imports],
  ['http/a.ts', `import { a } from '../express/index.ts'`, imports],
  ['express/a.ts', `export { a } from '../http/a.ts'`, null],
  ['express/a.ts', `import type { A } from '../core/a.ts'`, imports],
  ['express/a.ts', `import { a } from '../fastify/index.ts'`, imports],
  ['express-rate-limit/a.ts', `export { a } from '../drop-ins/a.ts'`, null],
  ['drop-ins/a.ts', `export { a } from '../index.ts'`, null],
  ['drop-ins/a.ts', `import { a } from '../engine/a.ts'`, imports],
  ['express/a.ts', `import type { Request } from 'express'`, imports],
  ['calls/a.ts', `export { a } from '../index.ts'`, null],
  ['calls/a.ts', `import { a } from '../engine/a.ts'`, imports],
  ['calls/a.ts', `import { a } from '../openai/index.ts'`, imports],
  ['calls/a.ts', `import { createParser } from 'eventsource-parser'`, imports],
  ['openai/a.ts', `export { a } from '../calls/a.ts'`, null],
  ['openai/a.ts', `export { createParser } from 'eventsource-parser'`, null],
  ['openai/a.ts', `import type { A } from '../core/a.ts'`, imports],
  ['openai/a.ts', `import OpenAI from 'openai'`, imports],
  ['ai/a.ts', `export { a } from '../calls/a.ts'`, null],
  ['ai/a.ts', `import { a } from '../openai/a.ts'`, imports],
  ['ai/a.ts', `import { wrapLanguageModel } from 'ai'`, imports],
  ['prometheus/a.ts', `export { a } from 'prom-client'`, null],
  ['prometheus/a.ts', `import { a } from '../engine/a.ts'`, imports],
  ['opentelemetry/a.ts', `export { a } from '@opentelemetry/api'`, null],
  ['opentelemetry/a.ts', `import { a } from '@opentelemetry/sdk-metrics'`, imports],

  ['index.ts', `import { a } from './cli/main.ts'`, imports],
  ['cli/a.ts', `export { a } from '../stores/sqlite/index.ts'`, null],
  ['cli/a.ts', `export { a } from '../engine/a.ts'`, null],

  ['core/a.ts', `export const a = Date.now()`, globals],
  ['core/calendar/a.ts', `export const a = Date.now()`, globals],
  ['engine/a.ts', `export const a = new Date(0)`, globals],
  ['engine/a.ts', `setTimeout(() => {}, 1)`, globals],
  ['engine/a.ts', `setInterval(() => {}, 1)`, globals],
  ['engine/a.ts', `setImmediate(() => {})`, globals],
  ['engine/a.ts', `export const a = performance.now()`, globals],
  ['engine/a.ts', `export const a = process.pid`, globals],
  ['engine/a.ts', `export const a = globalThis.Date`, globals],
  ['engine/a.ts', `export const a = crypto.randomUUID()`, globals],
  ['engine/a.ts', `export const a = Math.random()`, properties],
  ['core/a.ts', `export const a = Math['random']`, properties],
  ['core/a.ts', `export const { random } = Math`, properties],
  ['engine/a.ts', `export const a = AbortSignal.timeout(1)`, properties],
  ['core/a.ts', `import { Temporal } from 'temporal-polyfill'\nexport const a = Temporal.Now.instant()`, properties],
  ['engine/open.ts', `export const a = Date.now()`, globals],
  ['engine/runtime/real-clock.ts', `export const a = Date.now() + Math.random() + performance.now()`, null],
  ['cli/a.ts', `export const a = Date.now() + process.pid`, null],

  // The strict rules that need types, or that the house rules name.
  ['engine/a.ts', `export const a = (b: any): unknown => b`, 'typescript(no-explicit-any)'],
  ['engine/a.ts', `export const a = (b?: number): number => b!`, 'typescript(no-non-null-assertion)'],
  ['engine/a.ts', `Promise.resolve(1)`, 'typescript(no-floating-promises)'],
  ['engine/a.ts', `void Promise.resolve(1)`, 'typescript(no-floating-promises)'],
  [
    'engine/a.ts',
    `export function a(b: 'x' | 'y'): number {\n  switch (b) {\n    case 'x':\n      return 1\n  }\n  return 2\n}`,
    'typescript(switch-exhaustiveness-check)',
  ],
]

const source = 'packages/vsa/src'

interface Diagnostic {
  readonly filename: string
  readonly code?: string
}

/** Runs the project's linter with the project's rules over all the planted files at once; the rules broken, by file. */
function lint(folder: string): Map<string, Set<string>> {
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  for (const config of ['.oxlintrc.json', 'tsconfig.json', 'tsconfig.base.json']) {
    copyFileSync(join(root, config), join(folder, config))
  }
  const write = (place: string, code: string): void => {
    const path = join(folder, place)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, `${code}\n`)
  }
  planted.forEach(([file, code], index) => write(place(file, index), code))
  for (const [file, code, other, otherCode] of circles) {
    write(join(source, file), code)
    write(join(source, other), otherCode)
  }
  const oxlint = join(root, 'node_modules/oxlint/bin/oxlint')
  const run = spawnSync(process.execPath, [oxlint, '--format', 'json', 'packages'], { cwd: folder, encoding: 'utf8' })
  const report = JSON.parse(run.stdout) as { readonly diagnostics: readonly Diagnostic[] }
  const rules = new Map<string, Set<string>>()
  for (const { filename, code } of report.diagnostics) {
    rules.set(filename, (rules.get(filename) ?? new Set()).add(code ?? ''))
  }
  return rules
}

/** Planted files have unique names: `core/a.ts` becomes `core/a-7.ts`. */
function place(file: string, index: number): string {
  return join(source, file.replace(/\/a\.ts$/, `/a-${index}.ts`))
}

const found = lint(temporaryFolder())

test.each(planted.map((entry, index) => [...entry, index] as const))(
  'the linter checks %s: %s -> %s',
  (file, _code, rule, index) => {
    const rules = [...(found.get(place(file, index)) ?? [])]
    expect(rules.filter((broken) => rule === null || broken === rule)).toEqual(rule === null ? [] : [rule])
  },
)

test.each(circles)('the linter refuses an import cycle: %s: %s <-> %s', (file, _code, other) => {
  const broken = [file, other].flatMap((name) => [...(found.get(join(source, name)) ?? [])])
  expect(broken).toContain('import(no-cycle)')
})
