import type * as RandomModule from '../../../packages/vsa/dist/testing/random.js'
import { moduleOf, SHIPPED } from '../subject.ts'

// The one module, and not all of `vsa/testing`: hundreds of children load it.
const { seededRandom, wholeBetween } = await moduleOf<typeof RandomModule>(SHIPPED, 'testing/random.js')

export { seededRandom, wholeBetween }
