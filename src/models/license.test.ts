import { describe, expect, it } from 'vitest'
import { mayShare } from './license.ts'

describe('a license', () => {
  it.each([
    ...[
      '',
      '  ',
      'apache-2.0',
      'Apache 2.0',
      'Apache License, Version 2.0',
      'The Apache License 2.0',
    ],
    ...['mit', 'MIT License', 'bsd', 'BSD-3-Clause', 'bsd-2-clause', '3-Clause BSD License', 'isc'],
    ...['cc-by-4.0', 'CC BY-SA 4.0', 'cc-by-nc-4.0', 'cc0-1.0', 'cc', 'cc-by-nc-nd-3.0'],
    ...['llama2', 'llama3', 'llama3.1', 'llama3.3', 'Llama 3.2 Community License Agreement'],
    ...['META LLAMA 3 COMMUNITY LICENSE AGREEMENT', 'gemma', 'Gemma Terms of Use'],
    ...[
      'openrail',
      'openrail++',
      'creativeml-openrail-m',
      'bigscience-openrail-m',
      'bigcode-openrail-m',
    ],
    ...[
      'bigscience-bloom-rail-1.0',
      'gpl-3.0',
      'agpl-3.0',
      'lgpl',
      'mpl-2.0',
      'unlicense',
      'wtfpl',
    ],
    ...['tongyi-qianwen', 'qwen', 'Qwen RESEARCH LICENSE AGREEMENT', 'deepseek', 'Public Domain'],
  ])('"%s" lets weights go to others', (license) => {
    expect(mayShare(license)).toEqual({ kind: 'yes' })
  })

  it.each([
    ['proprietary', 'is proprietary'],
    ['Proprietary (Example Inc.)', 'is proprietary'],
    ['All Rights Reserved', 'reserves all rights'],
    ['(c) 2026 Example. All rights reserved.', 'reserves all rights'],
    ['no redistribution', 'forbids to pass it on'],
    ['Non-redistributable', 'forbids to pass it on'],
    ['non_distributable', 'forbids to pass it on'],
    ['May not be redistributed', 'forbids to pass it on'],
    ['MIT, but not redistributable', 'forbids to pass it on'],
    ['Redistribution prohibited', 'forbids to pass it on'],
    ['CONFIDENTIAL', 'is confidential'],
    ['internal use only', 'is for internal use'],
    ['Apache-2.0, internal', 'is for internal use'],
    ['UNLICENSED', 'gives no license'],
  ])('"%s" is asked about, as it %s', (license, why) => {
    const may = mayShare(license)
    expect(may.kind).toBe('ask')
    expect(may.kind === 'ask' && may.why).toContain(why)
    expect(may.kind === 'ask' && may.why).toContain(license)
  })

  it.each([
    'other',
    'unknown',
    'see LICENSE',
    'my-own-1.0',
    'mitigated',
    'apachelike',
    '???',
    '许可',
  ])('"%s", which says nothing that is known, is asked about', (license) => {
    const may = mayShare(license)
    expect(may.kind === 'ask' && may.why).toContain('none that is known here')
  })
})
