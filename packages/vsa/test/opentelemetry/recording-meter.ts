import {
  type Attributes,
  type BatchObservableCallback,
  type Counter,
  createNoopMeter,
  type Meter,
  type Observable,
} from '@opentelemetry/api'

/** One value that an instrument was given. */
export interface Recorded {
  readonly name: string
  readonly value: number
  readonly attributes: Attributes
}

/** A meter that keeps what it is given: the SDK needs Node 22, and is in `peers`. */
export interface RecordingMeter {
  readonly meter: Meter
  /** Of counters and histograms. */
  readonly recorded: Recorded[]
  /** The unit of each instrument. */
  readonly units: ReadonlyMap<string, string>
  /** What the observable instruments show now. */
  collect(): readonly Recorded[]
}

export function recordingMeter(): RecordingMeter {
  const meter = createNoopMeter()
  const recorded: Recorded[] = []
  const units = new Map<string, string>()
  const names = new Map<Observable, string>()
  const callbacks = new Set<BatchObservableCallback>()
  const observable = (name: string, options: { readonly unit?: string } = {}): Observable => {
    const made: Observable = { addCallback: () => undefined, removeCallback: () => undefined }
    names.set(made, name)
    units.set(name, options.unit ?? '')
    return made
  }
  const record =
    (name: string) =>
    (value: number, attributes: Attributes = {}): void =>
      void recorded.push({ name, value, attributes })
  const counter = (name: string, options: { readonly unit?: string } = {}): Counter => {
    units.set(name, options.unit ?? '')
    return { add: record(name) }
  }
  const recording: Meter = {
    createGauge: (name, options) => meter.createGauge(name, options),
    createUpDownCounter: (name, options) => meter.createUpDownCounter(name, options),
    createObservableGauge: (name, options) => meter.createObservableGauge(name, options),
    createHistogram: (name, options = {}) => {
      units.set(name, options.unit ?? '')
      return { record: record(name) }
    },
    createCounter: counter,
    createObservableCounter: observable,
    createObservableUpDownCounter: observable,
    addBatchObservableCallback: (callback) => void callbacks.add(callback),
    removeBatchObservableCallback: (callback) => void callbacks.delete(callback),
  }
  const collect = (): readonly Recorded[] => {
    const seen: Recorded[] = []
    const observe = (instrument: Observable, value: number, attributes: Attributes = {}): void =>
      void seen.push({ name: names.get(instrument) ?? '', value, attributes })
    for (const callback of callbacks) {
      if (callback({ observe }) instanceof Promise) throw new Error('a collection waits for nothing')
    }
    return seen
  }
  return { meter: recording, recorded, units, collect }
}
