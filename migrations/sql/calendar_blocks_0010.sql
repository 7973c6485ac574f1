-- A day is either booked or blocked, never both. Both triggers lock the vehicle's row, as every
-- booking write does first, and then look: what the other one wrote is committed and seen by then.
-- It is seen because each statement of a trigger has a new snapshot in READ COMMITTED, the isolation
-- of everything here; under REPEATABLE READ this would prove nothing, so that is refused.
-- The error is the exclusion constraint's (23P01): whoever handles that one, handles this one.
CREATE FUNCTION lock_calendar(vehicle bigint) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE EXCEPTION 'a calendar cannot be written in a transaction that is %',
            current_setting('transaction_isolation')
            USING HINT = 'use READ COMMITTED: the check must see what was committed meanwhile';
    END IF;
    PERFORM FROM vehicles WHERE id = vehicle FOR NO KEY UPDATE;
END
$$;

CREATE FUNCTION refuse_blocked_days() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM lock_calendar(NEW.vehicle_id);
    IF EXISTS (
        SELECT FROM calendar_blocks WHERE vehicle_id = NEW.vehicle_id AND during && NEW.during
    ) THEN
        RAISE EXCEPTION 'the host keeps days of % of vehicle %', NEW.during, NEW.vehicle_id
            USING ERRCODE = 'exclusion_violation', CONSTRAINT = 'no_booking_of_blocked_days';
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION refuse_booked_days() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM lock_calendar(NEW.vehicle_id);
    IF EXISTS (
        SELECT FROM bookings
        WHERE vehicle_id = NEW.vehicle_id AND during && NEW.during
            AND status IN ('held', 'confirmed', 'active')
    ) THEN
        RAISE EXCEPTION 'days of % of vehicle % are booked', NEW.during, NEW.vehicle_id
            USING ERRCODE = 'exclusion_violation', CONSTRAINT = 'no_block_of_booked_days';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER no_booking_of_blocked_days
BEFORE INSERT OR UPDATE OF vehicle_id, during, status ON bookings
FOR EACH ROW WHEN (NEW.status IN ('held', 'confirmed', 'active'))
EXECUTE FUNCTION refuse_blocked_days();

CREATE TRIGGER no_block_of_booked_days
BEFORE INSERT OR UPDATE OF vehicle_id, during ON calendar_blocks
FOR EACH ROW EXECUTE FUNCTION refuse_booked_days();

-- Blocks are part of a vehicle's document: the triggers of migrations/sql/triggers.sql.
CREATE TRIGGER search_dirty_insert AFTER INSERT ON calendar_blocks
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION mark_vehicles_dirty();
CREATE TRIGGER search_dirty_update AFTER UPDATE ON calendar_blocks
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION mark_vehicles_dirty();
CREATE TRIGGER search_dirty_delete AFTER DELETE ON calendar_blocks
REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT EXECUTE FUNCTION mark_vehicles_dirty();
CREATE TRIGGER search_dirty_truncate BEFORE TRUNCATE ON calendar_blocks
FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();
