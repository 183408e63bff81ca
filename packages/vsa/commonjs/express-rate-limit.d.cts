// For TypeScript that compiles to CommonJS. Written by `npm run types:require`.
import type * as module from '../dist/express-rate-limit/index.js' with { 'resolution-mode': 'import' }

export type * from '../dist/express-rate-limit/index.js' with { 'resolution-mode': 'import' }
export declare const VsaStore: typeof module.VsaStore
export type VsaStore = module.VsaStore
