-- Every change to what a vehicle document is made of appends to search_dirty, in the same
-- transaction. Statement-level with transition tables: one append per statement, however many rows.
DO $$
DECLARE
    watched text;
    operation text;
    tables text;
BEGIN
    FOREACH watched IN ARRAY ARRAY['vehicles', 'vehicle_features', 'photos', 'reviews', 'bookings']
    LOOP
        FOREACH operation IN ARRAY ARRAY['INSERT', 'UPDATE', 'DELETE']
        LOOP
            tables := CASE operation
                WHEN 'INSERT' THEN 'NEW TABLE AS new_rows'
                WHEN 'DELETE' THEN 'OLD TABLE AS old_rows'
                ELSE 'OLD TABLE AS old_rows NEW TABLE AS new_rows'
            END;
            EXECUTE format(
                'CREATE TRIGGER search_dirty_%s AFTER %s ON %I REFERENCING %s '
                'FOR EACH STATEMENT EXECUTE FUNCTION mark_vehicles_dirty()',
                lower(operation), operation, watched, tables
            );
        END LOOP;
        EXECUTE format(
            'CREATE TRIGGER search_dirty_truncate BEFORE TRUNCATE ON %I '
            'FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate()', watched
        );
    END LOOP;
END
$$;
