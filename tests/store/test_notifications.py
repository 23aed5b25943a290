"""Messages about licences in the store: handed to one worker each, never walked again once they are settled."""

import threading

import pytest
import sqlalchemy as sa

from scim_server.account.notices import ACTIVATED, ASSIGNED, Notice
from scim_server.store import notifications, resources
from scim_server.store.database import execute
from scim_server.store.notifications import START, Settlement
from scim_server.store.tables import user
from tests.store.rows import add_user

NOON, HOUR = 1_000_000_000_000, 3_600_000_000


@pytest.fixture
def holder(database, users, account_id):
    """Insert a user who was assigned a licence at noon; gives its id."""

    def insert(**columns):
        licence = {"licence_type": "pro", "licence_status": "assigned", "licence_assigned_at": NOON, **columns}
        document = {"active": columns.pop("active", True)}
        licence = {name: value for name, value in licence.items() if name != "active"}
        with database.transaction(account_id):
            return add_user(account_id, users, document, **licence)

    return insert


@pytest.fixture
def record(database, account_id):
    """Record that a user has a licence, as of noon."""

    def write(*user_ids, kind=ASSIGNED, suppressed=False, now=NOON):
        with database.transaction(account_id):
            notices = [Notice(kind, user_id, "pro") for user_id in user_ids]
            notifications.record(account_id, notices, suppressed, now)

    return write


@pytest.fixture
def claim(database, account_id):
    def take(after=START, now=NOON):
        with database.transaction(account_id):
            return notifications.claim(account_id, after, now)

    return take


@pytest.fixture
def states(database, account_id):
    def read():
        with database.reading(account_id):
            return [row.state for row in notifications.listed(account_id, None, 1000)]

    return read


@pytest.fixture
def change_user(database, account_id):
    def change(user_id, **columns):
        with database.transaction(account_id):
            execute(user.update().where(user.c.account_id == account_id, user.c.id == user_id).values(**columns))

    return change


def test_claimed_message_is_nobody_elses(holder, record, claim, states):
    record(holder())
    claimed = claim()
    assert (claimed.kind, claimed.licence_type, claimed.attempts) == (ASSIGNED, "pro", 1)
    assert claim() is None
    assert states() == ["sending"]


def test_messages_are_claimed_in_the_order_in_which_they_fall_due(holder, record, claim):
    first, second, third = (holder() for _ in range(3))
    record(second, now=NOON + 1)
    record(first, third)
    taken, after = [], START
    while claimed := claim(after, NOON + HOUR):
        taken.append(claimed.user_id)
        after = claimed.position
    assert taken == [first, third, second]


def test_message_is_not_claimed_before_it_is_due(holder, record, claim):
    record(holder(), now=NOON + HOUR)
    assert claim(now=NOON + HOUR - 1) is None
    assert claim(now=NOON + HOUR)


def test_message_about_another_accounts_user_is_not_claimed(database, holder, record, new_account):
    record(holder())
    other = new_account()
    with database.transaction(None):
        assert notifications.claim(other, START, NOON) is None


def test_message_of_an_inactive_user_is_passed_by(holder, record, claim, states, change_user):
    away, here = holder(active=False), holder()
    record(away, here)
    claimed = claim()
    assert claimed.user_id == here
    assert claim(claimed.position) is None
    assert states() == ["waiting", "sending"]
    change_user(away, active=True)
    assert claim().user_id == away


def test_suppressed_message_is_never_claimed(holder, record, claim, states):
    record(holder(), suppressed=True)
    assert claim(now=NOON + HOUR) is None
    assert states() == ["suppressed"]


@pytest.mark.parametrize("state", ["sent", "failed", "unconfirmed", "obsolete"])
def test_settled_message_is_never_claimed_again(database, account_id, holder, record, claim, states, state):
    record(holder())
    claimed = claim()
    with database.transaction(account_id):
        assert notifications.settle(account_id, claimed, Settlement(state), NOON)
    assert claim(now=NOON + HOUR) is None
    assert states() == [state]


def test_message_to_be_tried_again_is_claimed_when_that_is_due(database, account_id, holder, record, claim):
    record(holder())
    with database.transaction(account_id):
        again = Settlement("waiting", "451 later", NOON + HOUR)
        notifications.settle(account_id, claim_now(account_id), again, NOON)
    assert claim(now=NOON + HOUR - 1) is None
    assert claim(now=NOON + HOUR).attempts == 2


def claim_now(account_id):
    return notifications.claim(account_id, START, NOON)


def test_late_answer_to_an_earlier_claim_changes_nothing(database, account_id, holder, record, claim, states):
    record(holder())
    early = claim()
    with database.transaction(account_id):
        notifications.settle(account_id, early, Settlement("waiting", None, NOON), NOON)
    claim()
    with database.transaction(account_id):
        assert not notifications.settle(account_id, early, Settlement("sent"), NOON)
    assert states() == ["sending"]


def test_message_that_was_claimed_long_ago_is_given_up(database, account_id, holder, record, claim, states):
    user_id = holder()
    record(user_id)
    claimed = claim(now=NOON)
    with database.transaction(account_id):
        assert notifications.abandon(account_id, NOON, "lost") == []
        assert [row.user_id for row in notifications.abandon(account_id, NOON + 1, "lost")] == [user_id]
        assert notifications.abandon(account_id, NOON + 1, "lost") == []
    assert states() == ["unconfirmed"]
    with database.transaction(account_id):
        assert notifications.settle(account_id, claimed, Settlement("sent"), NOON)
    assert states() == ["sent"]


def test_licence_that_is_gone_makes_the_message_obsolete(database, account_id, holder, record, claim, states):
    gone = holder(licence_type=None, licence_status="none", licence_assigned_at=None)
    given_again = holder(licence_assigned_at=NOON + 1)
    held, away = holder(), holder(active=False, licence_status="suspended")
    record(gone, given_again, held, away)
    assert claim().user_id == held
    with database.transaction(account_id):
        assert notifications.retire(account_id, NOON) == 2
        assert notifications.retire(account_id, NOON) == 0
    assert states() == ["obsolete", "obsolete", "sending", "waiting"]


def test_activation_that_was_undone_makes_the_message_obsolete(database, account_id, holder, record, claim, states):
    undone, done = holder(), holder(licence_activated=True, licence_activated_at=NOON)
    record(undone, done, kind=ACTIVATED)
    assert claim().user_id == done
    with database.transaction(account_id):
        assert notifications.retire(account_id, NOON) == 1
    assert states() == ["obsolete", "sending"]


def test_message_tells_the_type_that_the_user_has_by_now(database, account_id, holder, record, claim, change_user):
    user_id = holder()
    record(user_id)
    change_user(user_id, licence_type="eco")
    claimed = claim()
    assert claimed.licence_type == "eco"
    with database.transaction(account_id):
        notifications.settle(account_id, claimed, Settlement("sent"), NOON + 1)
        (row,) = notifications.listed(account_id, user_id, 10)
    assert (row.licence_type, row.sent_at) == ("eco", NOON + 1)


def test_messages_go_with_their_user(database, users, account_id, holder, record, claim, states):
    user_id = holder()
    record(user_id)
    claimed = claim()
    with database.transaction(account_id):
        resources.delete(account_id, users, user_id)
    assert states() == []
    with database.transaction(account_id):
        assert not notifications.settle(account_id, claimed, Settlement("sent"), NOON)


def test_open_messages_are_told_from_settled_ones(database, account_id, holder, record, claim):
    def is_open(now, given_up=0):
        with database.reading(account_id):
            return notifications.has_open(account_id, now, given_up), notifications.is_sendable(account_id, now)

    assert is_open(NOON) == (False, False)
    record(holder(active=False))
    assert is_open(NOON - 1) == (False, False)
    assert is_open(NOON) == (True, False)
    record(holder())
    assert is_open(NOON) == (True, True)
    claim()
    assert is_open(NOON - 1, NOON) == (False, False)
    assert is_open(NOON - 1, NOON + 1) == (True, False)


def test_user_is_found_by_id_or_by_name_in_any_case(database, account_id, holder, record):
    user_id = holder()
    record(holder(), user_id)
    with database.reading(account_id):
        (row,) = notifications.listed(account_id, user_id, 10)
        assert [one.id for one in notifications.listed(account_id, row.user_name.upper(), 10)] == [row.id]
        assert notifications.listed(account_id, "nobody@example.com", 10) == []


def test_workers_side_by_side_claim_each_message_once(database, account_id, holder, record):
    ids = [holder() for _ in range(40)]
    record(*ids)
    taken = []

    def work():
        after = START
        while True:
            with database.transaction(account_id):
                claimed = notifications.claim(account_id, after, NOON)
            if claimed is None:
                return
            taken.append(claimed.user_id)
            after = claimed.position

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(ids)


def test_what_is_due_is_found_without_walking_what_was_sent(database, holder, record, claim):
    record(holder())
    seen = []

    def see(_connection, _cursor, statement, parameters, _context, _many):
        seen.append((statement, parameters))

    sa.event.listen(database.engine, "before_cursor_execute", see)
    claim()
    sa.event.remove(database.engine, "before_cursor_execute", see)
    statement, parameters = next(one for one in seen if "FROM notification" in one[0])
    with database.transaction(None) as connection:
        if database.dialect == "postgresql":
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        explain = "EXPLAIN" if database.dialect == "postgresql" else "EXPLAIN QUERY PLAN"
        plan = str(connection.exec_driver_sql(f"{explain} {statement}", parameters).all())
    assert "ix_notification_waiting" in plan, plan
