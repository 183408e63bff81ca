import { readFileSync } from 'node:fs'

const PACKAGES = ['libsql', 'pg', 'ioredis', 'rate-limiter-flexible', 'rate-limit-redis', 'limiter']

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version?: string }>>
}

/** Of what is compared and of the clients, by the lock file of this repository. */
export function versions(): Readonly<Record<string, string>> {
  const lock = JSON.parse(readFileSync(new URL('../../../package-lock.json', import.meta.url), 'utf8')) as Lock
  const versionOf = (path: string): string => lock.packages[path]?.version ?? 'unknown'
  return {
    vsa: versionOf('packages/vsa'),
    ...Object.fromEntries(PACKAGES.map((name) => [name, versionOf(`node_modules/${name}`)])),
  }
}
