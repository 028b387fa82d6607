"""What a technician needs: making the firmware that ships."""
