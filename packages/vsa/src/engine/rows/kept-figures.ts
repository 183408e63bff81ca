import type { RowFigures } from '../budget/row-view.ts'

/** How many are looked through for equal ones: a service has a few tiers. */
const RECENT_MAX = 8

/** What most rows of one policy have in common. */
type CommonFigures = Pick<RowFigures, 'burned' | 'minted' | 'limit' | 'version' | 'others'> & {
  readonly reserved: number
}

const recent: CommonFigures[] = []
let oldest = 0

/** The figures of one row, as small as they can be kept: what rows have in common is one object for all of them. Never changed. */
export class KeptFigures implements RowFigures {
  readonly pool: number
  readonly used: number
  readonly othersHeld: number
  readonly #common: CommonFigures

  constructor(figures: RowFigures) {
    this.pool = figures.pool
    this.used = figures.used
    this.othersHeld = figures.othersHeld
    this.#common = commonOf(figures)
  }

  get burned(): number {
    return this.#common.burned
  }

  get minted(): number {
    return this.#common.minted
  }

  get reserved(): number {
    return this.#common.reserved
  }

  get limit(): number {
    return this.#common.limit
  }

  get version(): number {
    return this.#common.version
  }

  get others(): number {
    return this.#common.others
  }
}

/** These figures, in the object that was made for them lately if there is one. */
function commonOf({ burned, minted, reserved = 0, limit, version, others }: RowFigures): CommonFigures {
  for (const common of recent) {
    const isSamePolicy = common.limit === limit && common.version === version && common.minted === minted
    if (common.reserved !== reserved) continue
    if (isSamePolicy && common.burned === burned && common.others === others) return common
  }
  const made = { burned, minted, reserved, limit, version, others }
  recent[oldest] = made
  oldest = (oldest + 1) % RECENT_MAX
  return made
}
