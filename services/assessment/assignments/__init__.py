"""The one fold from records to what each unit did with each case."""
