import type { CallMeter } from '../calls/call-meter.ts'
import type { CallStoppedError } from '../calls/call-errors.ts'
import type { ChunkMeter, StreamEnding } from '../calls/metered-stream.ts'
import type { CallOutcome } from '../calls/call-settlement.ts'
import type { ModelStreamPart } from './language-model.ts'
import { usageOfModel } from './model-usage.ts'

/** Inputs of tools that came in parts, by id. More of them are counted twice. */
const TOOL_INPUTS_MAX = 10_000

/** Meters the parts of a model's stream. */
export class PartMeter implements ChunkMeter<ModelStreamPart> {
  readonly #meter: CallMeter
  readonly #toolInputs = new Set<unknown>()
  #isFinished = false

  constructor(meter: CallMeter) {
    this.#meter = meter
  }

  see(part: ModelStreamPart): Promise<StreamEnding<ModelStreamPart> | null> | undefined {
    this.#meter.touch()
    switch (part.type) {
      case 'text-delta':
      case 'reasoning-delta':
        return this.#seeText(part, part.delta)
      case 'tool-input-delta':
        if (this.#toolInputs.size < TOOL_INPUTS_MAX) this.#toolInputs.add(part.id)
        return this.#seeText(part, part.delta)
      case 'tool-call':
        return this.#toolInputs.has(part.toolCallId) ? undefined : this.#seeText(part, part.input)
      case 'finish':
        this.#isFinished = true
        this.#meter.report(usageOfModel(part.usage))
        return undefined
      default:
        return undefined
    }
  }

  end(outcome: CallOutcome): Promise<void> {
    return this.#meter.end(this.#isFinished || outcome !== 'finished' ? this.#outcome(outcome) : 'broken')
  }

  /** What its reader leaves behind the last part is no abort. */
  #outcome(outcome: CallOutcome): CallOutcome {
    return this.#isFinished && outcome === 'aborted' ? 'finished' : outcome
  }

  #seeText(part: ModelStreamPart, text: unknown): Promise<StreamEnding<ModelStreamPart> | null> | undefined {
    if (typeof text !== 'string' || !this.#meter.see(text)) return undefined
    return this.#meter.covers().then((error) => error && { error, chunks: [part, ...this.#lastParts(error)] })
  }

  /** As providers end a stream that fails: the error, then the finish. */
  #lastParts(error: CallStoppedError): readonly (ModelStreamPart & { readonly error?: unknown })[] {
    const { input, cacheRead, cacheWrite, output } = this.#meter.tokens
    const usage = {
      inputTokens: { total: input + cacheRead + cacheWrite, noCache: input, cacheRead, cacheWrite },
      outputTokens: { total: output, text: undefined, reasoning: undefined },
    }
    const finish = { type: 'finish', usage, finishReason: { unified: 'error', raw: error.reason } }
    return [{ type: 'error', error }, finish]
  }
}
