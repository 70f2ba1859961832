export function look({ nic, hearing }) {
    const others = hearing.known.filter((key) => key !== nic);
    const say = (relation) => others.filter((by) => hearing.relation(by, nic) === relation);
    return {
        hears: hearing.heardOf(nic),
        heardBy: say('hears'),
        unheardBy: say('not'),
        undecided: say('undecided'),
    };
}
export function judge(evidence, seen) {
    if (evidence.target === 'answers')
        return 'up';
    if (seen.hears.length === 0)
        return judgeWithoutHearing(evidence, seen);
    if (seen.heardBy.length === 0)
        return judgeUnheard(evidence, seen);
    if (evidence.target === 'unreachable')
        return 'unreachable';
    if (evidence.target === 'undecided')
        return 'undecided';
    if (isSplit(evidence, seen))
        return 'split';
    return isOneWay(evidence, seen) ? 'one-way' : 'up';
}
/** It hears nobody: silent, deaf, or nothing can be proven. */
function judgeWithoutHearing(evidence, seen) {
    if (!evidence.wholeWindow || (seen.heardBy.length === 0 && seen.undecided.length > 0))
        return 'undecided';
    const third = hearsThird(evidence, evidence.hearing.known);
    if (seen.heardBy.length > 0 && third)
        return 'deaf';
    if (seen.heardBy.length === 0 && third && evidence.proven)
        return 'silent';
    if (evidence.target === 'unreachable')
        return 'unreachable';
    if (evidence.target === 'undecided')
        return 'undecided';
    if (seen.heardBy.length > 0)
        return 'one-way';
    return evidence.proven ? 'isolated' : 'unproven';
}
/** It hears others, and nobody is known to hear it. */
function judgeUnheard(evidence, seen) {
    const { hearing, nic } = evidence;
    const relations = seen.hears.map((by) => hearing.relation(by, nic));
    const nobodyDoes = relations.every((relation) => relation === 'not');
    if (nobodyDoes && hearsThird(evidence, seen.hears))
        return 'mute';
    if (relations.includes('undecided') || seen.undecided.length > 0)
        return 'undecided';
    if (evidence.target === 'unreachable')
        return 'unreachable';
    if (evidence.target === 'undecided')
        return 'undecided';
    return relations.includes('not') ? 'one-way' : 'up';
}
/** One of `witnesses` hears somebody who is neither itself nor the NIC in question. */
function hearsThird({ nic, hearing }, witnesses) {
    return witnesses.some((by) => by !== nic && hearing.heardOf(by).some((of) => of !== nic));
}
/** Some NIC has nothing to do with it in either direction, and yet hears others: what lies between is the trunk. */
function isSplit({ nic, hearing }, seen) {
    return seen.unheardBy.some((by) => hearing.relation(nic, by) === 'not' && hearing.heardOf(by).some((of) => of !== nic));
}
/** One direction between it and another fails, and no third says whose fault it is. */
function isOneWay({ nic, hearing }, seen) {
    const blames = (deaf, mute) => {
        const deafHearsNobody = hearing.heardOf(deaf).length === 0;
        const nobodyElseHears = !hearing.known.some((by) => by !== deaf && hearing.relation(by, mute) === 'hears');
        return deafHearsNobody || nobodyElseHears;
    };
    const unheard = seen.unheardBy.some((by) => hearing.relation(nic, by) === 'hears' && !blames(by, nic));
    const unhearing = seen.heardBy.some((of) => hearing.relation(nic, of) === 'not' && !blames(nic, of));
    return unheard || unhearing;
}
//# sourceMappingURL=nic.js.map