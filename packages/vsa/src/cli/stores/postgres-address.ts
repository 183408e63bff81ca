import { assertSchema } from '../../stores/postgres/schema-name.ts'
import { assertStoreName, serverAddress, type AddressForm } from './server-address.ts'

/** The parts of a Postgres URL. */
export interface PostgresAddress {
  /** For the driver: without `schema`, and otherwise as it was typed. May have a password. */
  readonly url: string
  readonly schema: string
  /** For texts: the URL without its password. */
  readonly name: string
}

const DEFAULT_SCHEMA = 'vsa'
const FORM: AddressForm = {
  kind: 'Postgres',
  scheme: /^postgres(?:ql)?:\/\//i,
  example: 'postgres://USER@HOST:PORT/DATABASE?schema=NAME',
  parameter: 'schema',
  // As the driver reads it: the host may be missing behind a user, where a parameter `host` names a socket.
  isReadable: (before) => URL.canParse(before) || URL.canParse(before.replace('@/', '@localhost/')),
}

/** @throws UsageError, whose message has no part of the URL but the name of the schema */
export function postgresAddress(address: string): PostgresAddress {
  const { url, store: schema = DEFAULT_SCHEMA, name } = serverAddress(address, FORM)
  assertStoreName(FORM, () => assertSchema(schema))
  return { url, schema, name }
}
