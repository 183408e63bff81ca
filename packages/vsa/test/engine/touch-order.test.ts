import { array, assert, constantFrom, nat, property, record } from 'fast-check'
import { expect, test } from 'vitest'
import { TouchOrder, type Touched } from '../../src/engine/rows/touch-order.ts'

class Item implements Touched<Item> {
  readonly name: number
  older: Item | null = null
  newer: Item | null = null

  constructor(name: number) {
    this.name = name
  }
}

interface Walk {
  readonly ours: Generator<Item, void>
  readonly theirs: Iterator<Item, void>
}

function nameOf({ value }: IteratorResult<Item, void>): number | undefined {
  return value?.name
}

const ITEMS = 5

const steps = array(
  record({
    what: constantFrom('touch', 'delete', 'walk', 'next', 'leave'),
    item: nat(ITEMS - 1),
    walk: nat(2),
  }),
  { maxLength: 40 },
)

test('G3: items come in the order in which they were touched, also to iterations that go on while they are touched and removed, as in a Set', () => {
  assert(
    property(steps, (script) => {
      const items = Array.from({ length: ITEMS }, (_, name) => new Item(name))
      const order = new TouchOrder<Item>()
      const model = new Set<Item>()
      const walks: Walk[] = []
      for (const { what, item: at, walk: number } of script) {
        const item = items[at]
        const walk = walks[number]
        if (item === undefined) continue
        if (what === 'touch') {
          order.touch(item)
          model.delete(item)
          model.add(item)
        } else if (what === 'delete') {
          expect(order.delete(item)).toBe(model.delete(item))
        } else if (what === 'walk') {
          walks.push({ ours: order.values(), theirs: model.values() })
        } else if (what === 'next' && walk !== undefined) {
          expect(nameOf(walk.ours.next())).toBe(nameOf(walk.theirs.next()))
        } else if (what === 'leave' && walk !== undefined) {
          walk.ours.return()
          walks.splice(number, 1)
        }
        expect([...order.values()].map(({ name }) => name)).toEqual([...model].map(({ name }) => name))
        expect(order.size).toBe(model.size)
        for (const each of items) expect(order.has(each)).toBe(model.has(each))
      }
    }),
    { numRuns: 300 },
  )
})
