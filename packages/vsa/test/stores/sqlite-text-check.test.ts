import { expect, it } from 'vitest'
import { loadDriver } from '../../src/stores/sqlite/client/driver.ts'
import { StatementCache } from '../../src/stores/sqlite/client/statement-cache.ts'
import { ensureSchema } from '../../src/stores/sqlite/schema.ts'
import { textDamage } from '../../src/stores/sqlite/text-check.ts'
import { newPath } from './sqlite-fixture.ts'

const driver = await loadDriver('libsql')

/** One row of each table, with the text `é` in each column of text that may have any. */
const ROWS = `
  INSERT INTO budget VALUES ('é', 0, 'initial', 0, 0, 0, 0, 0, 0, 1, 0, NULL, NULL, 0, 0);
  INSERT INTO lease VALUES ('é', 0, 1, 1);
  INSERT INTO owner VALUES (1, '', 'é', 'open', 0, 'é', 0, 0, 0, 'é', 0);
  INSERT INTO mint VALUES ('é', 'é', 1);
  INSERT INTO counter VALUES ('é', 1);
  INSERT INTO reservation VALUES ('é', 'é', 'admission', 'é', 'return', 'é', 0);
  INSERT INTO reservation_key VALUES ('é', 'é', 'é');
`

it.each([
  ['budget', 'key'],
  ['budget', 'kind'],
  ['lease', 'key'],
  ['owner', 'label'],
  ['owner', 'state'],
  ['owner', 'outcome'],
  ['owner', 'process'],
  ['mint', 'key'],
  ['mint', 'id'],
  ['counter', 'key'],
  ['reservation', 'key'],
  ['reservation', 'id'],
  ['reservation', 'made_as'],
  ['reservation', 'request'],
  ['reservation', 'on_expire'],
  ['reservation', 'lots'],
  ['reservation_key', 'key'],
  ['reservation_key', 'id'],
  ['reservation_key', 'first_key'],
])('S6: bytes that are no text are named by table and column: %s.%s', (table, column) => {
  const connection = driver.open(newPath())
  ensureSchema(connection, 'books.db')
  connection.exec(ROWS)
  expect(textDamage(new StatementCache(connection), 3)).toEqual([])
  // Beside the checks of the schema, as a damaged file is.
  connection.exec(`PRAGMA ignore_check_constraints = ON; UPDATE ${table} SET ${column} = CAST(X'61FF' AS TEXT)`)
  expect(textDamage(new StatementCache(connection), 3)).toEqual([
    `the ${column} of 1 rows of ${table} is no text, as 'a\uFFFD'`,
  ])
  connection.close()
})
