// For TypeScript that compiles to CommonJS. Written by `npm run types:require`.
import type * as module from '../dist/opentelemetry/index.js' with { 'resolution-mode': 'import' }

export type * from '../dist/opentelemetry/index.js' with { 'resolution-mode': 'import' }
export declare const openTelemetryMetrics: typeof module.openTelemetryMetrics
