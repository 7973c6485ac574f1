-- Money neither comes from nowhere nor goes there: when a transaction commits, what it wrote about
-- each booking sums to zero. Deferred, as a movement is written side by side.
CREATE FUNCTION refuse_unbalanced_ledger() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    off bigint;
BEGIN
    SELECT sum(cents) INTO off FROM ledger WHERE booking_id = NEW.booking_id;
    IF off <> 0 THEN
        RAISE EXCEPTION 'the ledger of booking % is off by % cents', NEW.booking_id, off
            USING HINT = 'write every side of a movement in one transaction';
    END IF;
    RETURN NULL;
END
$$;

CREATE CONSTRAINT TRIGGER ledger_sums_to_zero AFTER INSERT ON ledger
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_unbalanced_ledger();

-- What happened is never rewritten: a mistake is put right by another movement.
CREATE FUNCTION refuse_rewritten_ledger() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is only ever added to' USING HINT = 'write a movement that corrects';
END
$$;

CREATE TRIGGER ledger_is_only_added_to BEFORE UPDATE OR DELETE ON ledger
FOR EACH ROW EXECUTE FUNCTION refuse_rewritten_ledger();
