// What a coupon of the partner takes off: money, or nothing where the code is unknown, not yet or no longer valid, or
// not for this store.
import { log } from 'zhanggui:plugin/logging@0.1.0';
import { get } from 'zhanggui:plugin/config@0.1.0';

const ABSENT = { tag: 'answer', val: { tag: 'absent' } };

// Throws as the contract's `plugin-error`.
function invalid(text) {
  throw { tag: 'invalid-input', val: text };
}

function unavailable(text) {
  throw { tag: 'unavailable', val: text };
}

function find(call, path) {
  const field = call.arguments.find((f) => f.path === path) ?? call.facts.find((f) => f.path === path);
  return field?.value.tag === 'absent' ? undefined : field?.value;
}

// UTF-8 by the two old functions that know it: QuickJS has no TextDecoder.
function textOf(bytes) {
  let raw = '';
  for (let at = 0; at < bytes.length; at += 4096) raw += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return decodeURIComponent(escape(raw));
}

function codeOf(call) {
  const code = find(call, 'code');
  if (code?.tag !== 'text') invalid('code: a text is needed');
  const plain = code.val.trim().toUpperCase();
  if (!/^[A-Z0-9-]{4,32}$/.test(plain)) invalid('code: 4 to 32 letters, digits and hyphens');
  return plain;
}

// Minor units of a text such as "20.00"; never by way of a floating-point number.
function minorUnits(text) {
  const match = /^([0-9]{1,9})\.([0-9]{2})$/.exec(text);
  if (!match) unavailable('the server wrote an amount that is none');
  return Number(match[1]) * 100 + Number(match[2]);
}

function discount(call, answer) {
  if (answer.status === 404) {
    log('info', 'no such code');
    return ABSENT;
  }
  if (answer.status !== 200) unavailable(`the server answered ${answer.status}`);
  let coupon;
  try {
    coupon = JSON.parse(textOf(answer.body));
  } catch (error) {
    unavailable('the server wrote no JSON');
  }
  const today = find(call, 'today')?.val ?? call.today;
  // ISO 8601 days sort as text.
  if (coupon.valid_from && today < coupon.valid_from) {
    log('info', `valid from ${coupon.valid_from}`);
    return ABSENT;
  }
  if (coupon.valid_until && today > coupon.valid_until) {
    log('info', `valid until ${coupon.valid_until}`);
    return ABSENT;
  }
  if (Array.isArray(coupon.stores) && !coupon.stores.includes(call.store)) {
    log('info', `not for store ${call.store}`);
    return ABSENT;
  }
  const money = { minor: minorUnits(coupon.discount), currency: String(coupon.currency) };
  return { tag: 'answer', val: { tag: 'money', val: money } };
}

export const facts = {
  plan(call) {
    if (call.function !== 'discount') throw { tag: 'unsupported', val: call.function };
    const code = codeOf(call);
    return [
      {
        name: 'coupon',
        method: 'GET',
        url: `${get('server')}/v1/coupons/${encodeURIComponent(code)}`,
        headers: [['x-api-token', '{{secret:coupon_token}}']],
        body: new Uint8Array(),
        timeout: undefined,
        cache: Number(get('remembered')),
      },
    ];
  },

  decide(call, responses) {
    const outcome = responses.find((r) => r.name === 'coupon')?.outcome;
    if (outcome === undefined) throw { tag: 'internal', val: 'the coupon was not asked for' };
    if (outcome.tag === 'err') unavailable(`the server is away: ${outcome.val.tag}`);
    return discount(call, outcome.val);
  },
};
