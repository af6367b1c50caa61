{{ first_buyers("discount_amount > 0", reason='at a discount') }}
