import { parseSpec } from './spec.ts'
const front = (rest: string): string => `---\nswarm: 1\nname: picture\nrun: mandelbrot\n${rest}---\n`
const t = (n: string, x: string) => { const a = performance.now(); parseSpec(x, 'a'); console.log(n, (performance.now()-a).toFixed(0)) }
const bodies = ['`'.repeat(500_000), `${'`'.repeat(400_000)}\nx\n${'`'.repeat(400_000)}\n`,'```json #a\n'.repeat(50_000),'<!-- '.repeat(150_000), `\`\`\`json #t when=preflight\n${'['.repeat(60_000)}\n\`\`\`\n`]
bodies.forEach((b,i)=>t('body'+i, front('')+b))
for (const open of ['[', '{', '{a: ', '- ', '? ', '"']) t(open, front(`x: ${open.repeat(9_000)}\n`))
t('keys', front(Array.from({ length: 6_000 }, (_, i) => `k${i}: 1\n`).join('')))
t('dashes', front('x-a: ' + '-'.repeat(50000)))
t('spaces', front('name: a' + ' '.repeat(60000) + 'b\n'))
t('longname', front('title: ' + 'a-'.repeat(30000) + '\n'))
t('fences', front('') + '```json #a when=preflight\n{}\n```\n'.repeat(30000))
t('tildes', front('') + '~~~\n'.repeat(200000))
t('lines', front('') + '\n'.repeat(1000000))
