// For TypeScript that compiles to CommonJS. Written by `npm run types:require`.
import type * as module from '../dist/nestjs-throttler/index.js' with { 'resolution-mode': 'import' }

export type * from '../dist/nestjs-throttler/index.js' with { 'resolution-mode': 'import' }
export declare const throttlerStorage: typeof module.throttlerStorage
