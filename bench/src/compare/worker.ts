import { contenderNamed } from '../contenders/catalog.ts'
import { workloadNamed } from '../workloads/catalog.ts'
import { traceOf } from '../workloads/trace.ts'
import type { Answers, Command, CommandName } from './messages.ts'
import { Subject } from './subject.ts'

/*
 * One process with one contender and one workload, so that what V8 has learned about one of them does not slow down another. It does what its parent says,
 * one command after the other.
 */

const [contenderName = '', workloadName = ''] = process.argv.slice(2)
const contender = contenderNamed(contenderName)
const trace = traceOf(workloadNamed(workloadName))
let subject: Subject | undefined

process.on('message', (command: Command) => {
  obey(command).then(
    (answer) => process.send?.({ answer }),
    (error: unknown) =>
      process.send?.({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  )
})
process.once('disconnect', () => process.exit(0))
process.send?.('ready')

async function obey(command: Command): Promise<Answers[CommandName]> {
  if (command.do === 'open') {
    subject = await Subject.open(contender, trace, command)
    return null
  }
  if (subject === undefined) throw new Error(`${command.do} before open`)
  switch (command.do) {
    case 'closed-loop':
      return subject.closedLoop(command)
    case 'open-loop':
      return subject.openLoop(command)
    case 'figures':
      return subject.figures(command)
    case 'pause':
      return subject.pause()
    case 'close':
      return subject.close()
    case 'books':
      return subject.books()
    case 'end':
      return subject.end()
  }
}
