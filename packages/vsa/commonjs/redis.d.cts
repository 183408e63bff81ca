// For TypeScript that compiles to CommonJS. Written by `npm run types:require`.
import type * as module from '../dist/stores/redis/index.js' with { 'resolution-mode': 'import' }

export type * from '../dist/stores/redis/index.js' with { 'resolution-mode': 'import' }
export declare const redis: typeof module.redis
