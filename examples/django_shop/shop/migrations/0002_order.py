"""Makes the table of orders."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("shop", "0001_install_pgwallet"),)
    operations = (
        migrations.CreateModel(
            name="Order",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("customer", models.CharField(max_length=200)),
                ("amount", models.DecimalField(decimal_places=3, max_digits=18)),
                ("escrow_id", models.BigIntegerField(unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
    )
