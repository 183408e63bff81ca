// For TypeScript that compiles to CommonJS. Written by `npm run types:require`.
import type * as module from '../dist/prometheus/index.js' with { 'resolution-mode': 'import' }

export type * from '../dist/prometheus/index.js' with { 'resolution-mode': 'import' }
export declare const prometheusMetrics: typeof module.prometheusMetrics
