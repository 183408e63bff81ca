// For TypeScript that compiles to CommonJS. Written by `npm run types:require`.
import type * as module from '../dist/stores/postgres/index.js' with { 'resolution-mode': 'import' }

export type * from '../dist/stores/postgres/index.js' with { 'resolution-mode': 'import' }
export declare const postgres: typeof module.postgres
