/** What a store is, for help and errors. By itself, so that the help loads no store. */
export const ADDRESS_HELP = 'a SQLite file (PATH or sqlite:PATH) or postgres://HOST/DATABASE?schema=NAME'
