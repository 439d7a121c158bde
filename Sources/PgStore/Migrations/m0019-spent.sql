-- Which terms a used-up budget ended. One transaction. Never edited after release.

-- The day on which the budget of their fee schedule was found to be used up (AGY-15): the schedule may be that of earlier terms alone.
ALTER TABLE contract_term ADD COLUMN spent_on date;
UPDATE contract_term t SET spent_on = c.spent_on FROM contract c
WHERE c.contract_id = t.contract_id AND c.fee_schedule = t.fee_schedule AND t.starts_on <= c.spent_on;
