import { join, relative } from 'node:path'
import { format } from 'oxfmt'
import { expect, test } from 'vitest'
import { read, root } from './repository.ts'

// TypeScript that compiles to CommonJS refuses the types of an ES module (TS1479), also where Node can require it. So each subpath has a
// declaration file for `require`, which names the same types and values.

interface Conditions {
  readonly require?: { readonly types: string; readonly default: string }
  readonly types: string
  readonly default: string
}

const { exports } = JSON.parse(read('packages/vsa/package.json')) as {
  readonly exports: Readonly<Record<string, Conditions | string>>
}
const subpaths = Object.entries(exports).flatMap(([subpath, to]) =>
  typeof to === 'string' ? [] : [[subpath, to] as const],
)

test.each(subpaths)(
  '%s has types for `require`, and one module for both (npm run types:require)',
  async (_subpath, to) => {
    const entry = join(root, 'packages/vsa', to.require?.default ?? '')
    const file = join('packages/vsa', to.require?.types ?? '')
    // The built package: its exports are what a user gets.
    const module = (await import(join(root, 'packages/vsa', to.default))) as Readonly<Record<string, unknown>>
    // The CommonJS entry is the same module, not a copy of it.
    expect(read(relative(root, entry))).toContain(`require('.${to.default}')`)
    const { code } = await format(
      file,
      declarations(to.default, module),
      JSON.parse(read('.oxfmtrc.json')) as Record<string, unknown>,
    )
    await expect(code).toMatchFileSnapshot(join(root, file))
  },
)

function declarations(path: string, module: Readonly<Record<string, unknown>>): string {
  const from = `'.${path}' with { 'resolution-mode': 'import' }`
  const values = Object.keys(module)
    .toSorted()
    .flatMap((name) => [
      `export declare const ${name}: typeof module.${name}`,
      ...(isClass(module[name]) ? [`export type ${name} = module.${name}`] : []),
    ])
  return [
    '// For TypeScript that compiles to CommonJS. Written by `npm run types:require`.',
    `import type * as module from ${from}`,
    '',
    `export type * from ${from}`,
    ...values,
  ].join('\n')
}

function isClass(value: unknown): boolean {
  return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value))
}
