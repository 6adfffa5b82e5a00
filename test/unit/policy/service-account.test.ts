// A service account has one spelling in policies and one in tokens, and nothing else reads as one.
import { describe, expect, it } from 'vitest'
import {
  SERVICE_ACCOUNT,
  serviceAccountOf,
  serviceAccountSubject,
} from '../../../src/policy/service-account.ts'

const GOOD = [
  'monitoring/grafana',
  'a/b',
  '1/2',
  `${'n'.repeat(63)}/${'s'.repeat(253)}`,
  'kube-system/node.problem-detector',
]

describe('the name of a service account', () => {
  it.each(GOOD)('%s is one, in a policy and in a token', (name) => {
    expect(SERVICE_ACCOUNT.test(name)).toBe(true)
    expect(serviceAccountOf(serviceAccountSubject(name))).toBe(name)
  })

  it.each([
    '',
    '/',
    'grafana',
    'monitoring/',
    '/grafana',
    'monitoring/grafana/x',
    'Monitoring/grafana',
    'monitoring/Grafana',
    'monitor.ing/grafana',
    '-monitoring/grafana',
    'monitoring-/grafana',
    'monitoring/-grafana',
    'monitoring/grafana-',
    'monitoring/grafana.',
    'monitoring/gra..fana',
    'monitoring/gra_fana',
    'monitoring/*',
    'monitoring/grafana ',
    'monitoring/grafana\n',
    `${'n'.repeat(64)}/grafana`,
    `monitoring/${'s'.repeat(254)}`,
  ])('%j is none, in a policy and in a token', (name) => {
    expect(SERVICE_ACCOUNT.test(name)).toBe(false)
    expect(serviceAccountOf(serviceAccountSubject(name))).toBeUndefined()
  })

  it.each([
    'system:serviceaccount:monitoring',
    'system:serviceaccount:monitoring:grafana:x',
    'system:serviceaccount:monitoring/grafana',
    'SYSTEM:serviceaccount:monitoring:grafana',
    'system:serviceaccounts:monitoring:grafana',
    'xsystem:serviceaccount:monitoring:grafana',
    'system:node:worker',
    'system:serviceaccount::grafana',
    'robot',
    '',
  ])('%j is the subject of none', (subject) => {
    expect(serviceAccountOf(subject)).toBeUndefined()
  })
})
