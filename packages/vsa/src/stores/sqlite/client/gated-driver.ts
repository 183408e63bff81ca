import type { Connection, Statement } from './connection.ts'
import type { Driver } from './driver.ts'
import type { NativeGate } from './native-gate.ts'

/** The same driver, with every call of native code between `enter` and `leave`. */
export function gatedDriver(driver: Driver, gate: NativeGate): Driver {
  return {
    name: driver.name,
    open: (path) =>
      gatedConnection(
        within(gate, () => driver.open(path)),
        gate,
      ),
  }
}

function gatedConnection(connection: Connection, gate: NativeGate): Connection {
  return {
    exec: (sql) => within(gate, () => connection.exec(sql)),
    prepare: (sql) =>
      gatedStatement(
        within(gate, () => connection.prepare(sql)),
        gate,
      ),
    close: () => within(gate, () => connection.close()),
  }
}

function gatedStatement(statement: Statement, gate: NativeGate): Statement {
  return {
    run: (parameters) => within(gate, () => statement.run(parameters)),
    get: (parameters) => within(gate, () => statement.get(parameters)),
    all: (parameters) => within(gate, () => statement.all(parameters)),
  }
}

function within<T>(gate: NativeGate, work: () => T): T {
  gate.enter()
  try {
    return work()
  } finally {
    gate.leave()
  }
}
