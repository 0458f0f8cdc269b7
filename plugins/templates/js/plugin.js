// Says whether a basket is large.
import { log } from 'zhanggui:plugin/logging@0.1.0';
import { get } from 'zhanggui:plugin/config@0.1.0';

// The value of an argument or a fact, if it is there.
function find(call, path) {
  const field = call.arguments.find((f) => f.path === path) ?? call.facts.find((f) => f.path === path);
  return field?.value.tag === 'absent' ? undefined : field?.value;
}

export const facts = {
  // The requests of the first round: none.
  plan(call) {
    return [];
  },

  decide(call, responses) {
    if (call.function !== 'large') throw { tag: 'unsupported', val: call.function };
    const paid = find(call, 'paid');
    if (paid?.tag !== 'money') throw { tag: 'invalid-input', val: 'paid: an amount of money is needed' };
    const threshold = Number(get('threshold'));
    log('info', `${paid.val.minor} against ${threshold} minor units`);
    return { tag: 'answer', val: { tag: 'truth', val: Number(paid.val.minor) >= threshold } };
  },
};
