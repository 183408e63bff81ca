// For TypeScript that compiles to CommonJS. Written by `npm run types:require`.
import type * as module from '../dist/rate-limiter-flexible/index.js' with { 'resolution-mode': 'import' }

export type * from '../dist/rate-limiter-flexible/index.js' with { 'resolution-mode': 'import' }
export declare const RateLimiterRes: typeof module.RateLimiterRes
export type RateLimiterRes = module.RateLimiterRes
export declare const RateLimiterVsa: typeof module.RateLimiterVsa
export type RateLimiterVsa = module.RateLimiterVsa
