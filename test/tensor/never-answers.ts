/** A process for cases that never end; started by case-process.test.ts. */
process.send!({ kind: 'ready', name: 'never' })
process.on('message', (folder: string) => {
  if (folder === 'crash') process.exit(1)
  for (;;);
})
