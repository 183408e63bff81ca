/* What a store is, for help and errors. By itself, so that the help loads no store. The kinds are those of `stores/place-of.ts`. */

export const POSTGRES_ADDRESS = 'postgres://HOST/DB?schema=NAME'
export const ADDRESS_HELP: string = `a SQLite file, ${POSTGRES_ADDRESS} or redis://HOST?prefix=NAME`
export const NEW_STORE_HELP = 'a new SQLite file, or a URL (default: a temporary file)'
