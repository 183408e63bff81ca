// The skeleton of this adapter.
export {}
