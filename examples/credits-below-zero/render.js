/** Stands for work that takes a while, for 10 credits. */
export async function render() {
  await new Promise((resolve) => setTimeout(resolve, 50))
  return 'a picture'
}
