import { CallDeniedError } from '../calls/call-errors.ts'
import { CallBudget, type StartedCall } from '../calls/call-budget.ts'
import { failedWith } from '../calls/call-failure.ts'
import { type CallOptions, callSettings } from '../calls/call-options.ts'
import { meteredStream } from '../calls/metered-stream.ts'
import { requestText } from '../calls/request-text.ts'
import type { MeteringMiddleware, ModelCall, ModelStreamPart } from './language-model.ts'
import { usageOfModel } from './model-usage.ts'
import { PartMeter } from './part-meter.ts'

export interface ModelMeterOptions<Version extends 'v3' | 'v4' = 'v4'> extends CallOptions<ModelCall> {
  /** Of the provider specification: `v4` for version 7 of the AI SDK, `v3` for version 6. Default `v4`. */
  readonly specificationVersion?: Version
}

/**
 * A middleware for `wrapLanguageModel` of the AI SDK: each call of the model reserves an estimate of what it may take, and is settled by what the provider
 * counted, else by what was seen of it. An aborted or broken stream is settled too.
 *
 * ```ts
 * const model = wrapLanguageModel({ model: openai('gpt-5.2'), middleware: meterLanguageModel({ budget: credits.of(user), prices }) })
 * ```
 * The wrapped calls throw {@link CallDeniedError} before anything is sent, and what `reserve` throws where the store does not answer. A stream that the
 * budget ends has an `error` part with a `CallStoppedError`, and then a `finish` part with the reason `error`.
 * @throws TypeError, RangeError that name the option
 */
export function meterLanguageModel<Version extends 'v3' | 'v4' = 'v4'>(
  options: ModelMeterOptions<Version>,
): MeteringMiddleware<Version> {
  const calls = new CallBudget(callSettings<ModelCall>(options, ['specificationVersion']))
  return {
    // Without the option the version is its default, which the compiler cannot see.
    specificationVersion: options.specificationVersion ?? ('v4' as Version),
    wrapGenerate: async ({ doGenerate, params, model }) => {
      const started = await start(calls, { model, params, type: 'generate' })
      if (started === null) return doGenerate()
      const result = await attempt(started, params.abortSignal, doGenerate)
      const { meter } = started
      try {
        meter.report(usageOfModel(result.usage))
        meter.see(requestText(result.content).text)
      } finally {
        await meter.end('finished')
      }
      return result
    },
    wrapStream: async ({ doStream, params, model }) => {
      const started = await start(calls, { model, params, type: 'stream' })
      if (started === null) return doStream()
      const result = await attempt(started, params.abortSignal, doStream)
      // The specification says so; its type is not imported.
      const source = result.stream as ReadableStream<ModelStreamPart>
      return { ...result, stream: metered(source, started, params.abortSignal) }
    },
  }
}

async function start(calls: CallBudget<ModelCall>, call: ModelCall): Promise<StartedCall | null> {
  const { params, model } = call
  const started = await calls.start({
    call,
    model: model.modelId,
    input: requestText(params.prompt, params.tools, params.responseFormat),
    outputTokensMax: params.maxOutputTokens,
    signal: params.abortSignal,
  })
  switch (started.kind) {
    case 'unmetered':
      return null
    case 'denied':
      throw new CallDeniedError(started.denial)
    case 'started':
      return started
  }
}

async function attempt<Result>(
  { fail }: StartedCall,
  signal: AbortSignal | undefined,
  run: () => PromiseLike<Result>,
): Promise<Result> {
  try {
    return await run()
  } catch (error) {
    await fail(failedWith(error, signal?.aborted === true))
    throw error
  }
}

function metered(
  source: ReadableStream<ModelStreamPart>,
  { meter }: StartedCall,
  signal: AbortSignal | undefined,
): ReadableStream<ModelStreamPart> {
  const { stream, stop } = meteredStream(source, new PartMeter(meter), signal)
  meter.watch(stop)
  return stream
}
