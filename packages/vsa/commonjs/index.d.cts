// For TypeScript that compiles to CommonJS. Written by `npm run types:require`.
import type * as module from '../dist/index.js' with { 'resolution-mode': 'import' }

export type * from '../dist/index.js' with { 'resolution-mode': 'import' }
export declare const StoreError: typeof module.StoreError
export type StoreError = module.StoreError
export declare const VsaError: typeof module.VsaError
export type VsaError = module.VsaError
export declare const open: typeof module.open
export declare const storeFrom: typeof module.storeFrom
