// For TypeScript that compiles to CommonJS. Written by `npm run types:require`.
import type * as module from '../dist/stores/postgres/index.js' with { 'resolution-mode': 'import' }

export type * from '../dist/stores/postgres/index.js' with { 'resolution-mode': 'import' }
export declare const fromDrizzle: typeof module.fromDrizzle
export declare const fromKnex: typeof module.fromKnex
export declare const fromKysely: typeof module.fromKysely
export declare const fromPg: typeof module.fromPg
export declare const fromPrisma: typeof module.fromPrisma
export declare const postgres: typeof module.postgres
