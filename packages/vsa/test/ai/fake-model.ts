import type { ModelStreamPart } from '../../src/ai/index.ts'

type Version = 'v3' | 'v4'

export interface FakeParams {
  readonly prompt: readonly unknown[]
  readonly maxOutputTokens?: number
  readonly abortSignal?: AbortSignal
  readonly headers?: Record<string, string>
}

/** Usage in the form of version 3 and 4. */
export function modelUsage(
  input: number | undefined,
  output: number | undefined,
  cacheRead?: number,
  cacheWrite?: number,
): object {
  const noCache = input === undefined ? undefined : input - (cacheRead ?? 0) - (cacheWrite ?? 0)
  return {
    inputTokens: { total: input, noCache, cacheRead, cacheWrite },
    outputTokens: { total: output, text: output, reasoning: undefined },
  }
}

/** The parts of an answer. @param usage of {@link modelUsage} */
export function modelParts(words: readonly string[], usage: object | null): readonly ModelStreamPart[] {
  const parts: readonly object[] = [
    { type: 'stream-start', warnings: [] },
    { type: 'response-metadata', id: 'r1', modelId: 'fake' },
    { type: 'text-start', id: '1' },
    ...words.map((delta) => ({ type: 'text-delta', id: '1', delta })),
    { type: 'text-end', id: '1' },
    ...(usage === null ? [] : [{ type: 'finish', usage, finishReason: { unified: 'stop', raw: 'stop' } }]),
  ]
  return parts as readonly ModelStreamPart[]
}

export interface FakeModel {
  readonly specificationVersion: Version
  readonly provider: string
  readonly modelId: string
  readonly calls: { count: number; pulled: number; cancelled: unknown }
  doGenerate(
    params: FakeParams,
  ): Promise<{ content: unknown[]; usage: object; finishReason: object; warnings: unknown[] }>
  doStream(params: FakeParams): Promise<{ stream: ReadableStream<ModelStreamPart>; response: object }>
}

export interface Script {
  readonly parts?: readonly ModelStreamPart[]
  /** What comes behind the parts: nothing more comes, until it is cancelled; or the stream breaks. */
  readonly behind?: 'hang' | 'break'
  readonly usage?: object
  readonly text?: string
  /** The call rejects. */
  readonly error?: Error
}

/** A model without a provider, of either version: they have the same form. */
export function fakeModel(version: Version, script: Script): FakeModel {
  const calls: FakeModel['calls'] = { count: 0, pulled: 0, cancelled: undefined }
  const begin = (): void => {
    calls.count += 1
    if (script.error !== undefined) throw script.error
  }
  return {
    specificationVersion: version,
    provider: 'fake',
    modelId: 'fake-model',
    calls,
    doGenerate: async () => {
      begin()
      const content = [{ type: 'text', text: script.text ?? '' }]
      return { content, usage: script.usage ?? {}, finishReason: { unified: 'stop', raw: 'stop' }, warnings: [] }
    },
    doStream: async ({ abortSignal }) => {
      begin()
      let at = 0
      const stream = new ReadableStream<ModelStreamPart>(
        {
          start: (controller) => abortSignal?.addEventListener('abort', () => controller.error(abortSignal.reason)),
          pull: (controller) => {
            const part = script.parts?.[at]
            at += 1
            calls.pulled = at
            if (part !== undefined) controller.enqueue(part)
            else if (script.behind === 'break') controller.error(new Error('the provider is gone'))
            else if (script.behind === undefined) controller.close()
          },
          cancel: (reason) => {
            calls.cancelled = reason
          },
        },
        { highWaterMark: 0 },
      )
      return { stream, response: { headers: { 'x-request': '1' } } }
    },
  }
}
